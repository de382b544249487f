const webpack = require("webpack")

const configs = ["web", "node"].map((target) => ({
  mode: "production",
  target,
  context: __dirname,
  entry: "./../program.js",
  output: { path: `${__dirname}/dist`, filename: `${target}.cjs`, library: { type: "commonjs2" } },
  performance: false
}))

webpack(configs, (error, stats) => {
  if (error) throw error
  if (stats.hasErrors() || stats.hasWarnings())
    throw new Error(stats.toString({ all: false, errors: true, warnings: true }))
})
