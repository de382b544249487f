// What Biome cannot see, because it needs the types: methods that lose their `this`, and promises that nobody awaits.
import { parser, plugin } from "typescript-eslint"

export default [
  {
    files: ["packages/*/src/**/*.ts"],
    languageOptions: { parser, parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { types: plugin },
    rules: {
      "types/await-thenable": "error",
      "types/no-floating-promises": "error",
      "types/no-misused-promises": ["error", { checksVoidReturn: false }],
      "types/unbound-method": "error"
    }
  }
]
