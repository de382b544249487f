/** `npm run bench`: a table a part. */
import { costOf, shapes, sizes } from "./sse.js"

const rounds = process.argv.includes("--quick") ? 3 : 7
const mebibyte = 1024 * 1024

const row = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(36) : cell.padStart(10))).join("")

console.log("Decoding server-sent events, nanoseconds per byte (median)\n")
console.log(row(["", ...sizes.map((size) => `${size / mebibyte} MiB`), "64 : 1"]))
for (const shape of shapes) {
  // The first document warms the code up.
  costOf(shape, mebibyte, 5)
  const costs = sizes.map((size) => costOf(shape, size, rounds))
  const ratio = (costs.at(-1) ?? Number.NaN) / (costs[0] ?? Number.NaN)
  console.log(row([shape.name, ...costs.map((cost) => cost.toFixed(2)), ratio.toFixed(2)]))
}
