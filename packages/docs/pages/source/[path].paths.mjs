import { sourcePages } from "../../.vitepress/markdown.mjs"

export default { paths: sourcePages }
