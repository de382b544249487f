import { sourcePages } from "../../.vitepress/outside.mjs"

export default { paths: sourcePages }
