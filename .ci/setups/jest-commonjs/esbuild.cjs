const { transformSync } = require("esbuild")

/** `import.meta` becomes an empty object, and esbuild would warn of it. */
exports.process = (text) => transformSync(text, { format: "cjs", target: "node20", logLevel: "error" })
