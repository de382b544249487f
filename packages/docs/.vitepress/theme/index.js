import { onContentUpdated } from "vitepress"
import DefaultTheme from "vitepress/theme"
import { onMounted, onUnmounted } from "vue"
import { remembered, show, watchTabs } from "./lines.js"
import "./site.css"

export default {
  extends: DefaultTheme,
  setup() {
    onContentUpdated(() => show(remembered()))
    let stop
    onMounted(() => (stop = watchTabs()))
    onUnmounted(() => stop?.())
  }
}
