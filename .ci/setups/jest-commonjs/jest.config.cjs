// jest gives CommonJS tests what these transform. Effect 4 is made of modules, too, and one of them reads `import.meta`,
// which Babel leaves as it is.
const byBabel = ["babel-jest", { plugins: ["@babel/plugin-transform-modules-commonjs"], compact: false }]

module.exports =
  process.env.EFFECT === "4"
    ? {
        transform: { "\\.js$": "<rootDir>/esbuild.cjs" },
        transformIgnorePatterns: ["node_modules/(?!(@effect-api|effect)/)"]
      }
    : {
        transform: { "\\.js$": byBabel },
        transformIgnorePatterns: ["node_modules/(?!@effect-api/)"]
      }
