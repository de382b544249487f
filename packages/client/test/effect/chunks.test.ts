import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Equal, Hash, Stream } from "effect"
import * as Pulls from "../../src/effect/pulls.js"

const square = (n: number): number => n * n

/** What a program may do with the values of a stream. */
const uses: ReadonlyArray<readonly [name: string, use: (values: Chunk.Chunk<number>) => unknown]> = [
  ["spread", (values) => [...values]],
  ["toReadonlyArray", Chunk.toReadonlyArray],
  ["size", Chunk.size],
  ["isChunk", Chunk.isChunk],
  ["hash", Hash.hash],
  ["JSON", JSON.stringify],
  ["string", String],
  ["head", Chunk.head],
  ["last", Chunk.last],
  ["get", Chunk.get(1)],
  ["take", (values) => [...Chunk.take(values, 2)]],
  ["drop", (values) => [...Chunk.drop(values, 1)]],
  ["append", (values) => [...Chunk.append(values, 9)]],
  ["prepend", (values) => [...Chunk.prepend(values, 9)]],
  ["appendAll", (values) => [...Chunk.appendAll(values, values)]],
  ["reverse", (values) => [...Chunk.reverse(values)]],
  ["map", (values) => [...Chunk.map(values, square)]],
  ["filter", (values) => [...Chunk.filter(values, (n) => n % 2 === 0)]],
  ["zip", (values) => [...Chunk.zip(values, values)]],
  ["chunksOf", (values) => [...Chunk.chunksOf(values, 2)].map((part) => [...part])]
]

describe("the values of a pull", () => {
  it("10 are what Effect makes of the same array", () => {
    // If this fails, a new version of Effect makes its chunks otherwise, and `valuesOf` leaves them to it.
    expect({ ...Pulls.valuesOf([1, 2]) }).toEqual({ ...Chunk.make(1, 2) })
    expect(Object.getPrototypeOf(Pulls.valuesOf([1, 2]))).toBe(Object.getPrototypeOf(Chunk.make(1, 2)))
  })

  it.each(uses)("10 are used as any chunk: %s", (_, use) => {
    for (const array of [[1], [1, 2], [1, 2, 3, 4, 5]]) {
      expect(use(Pulls.valuesOf(array))).toEqual(use(Chunk.unsafeFromArray(array)))
    }
  })

  it("10 are equal to a chunk of the same values", () => {
    for (const array of [[1], [1, 2]]) {
      const [own, other] = [Pulls.valuesOf(array), Chunk.fromIterable(array)]
      expect([Equal.equals(own, other), Equal.equals(other, own)]).toEqual([true, true])
      expect(Equal.equals(own, Chunk.make(3))).toBe(false)
    }
  })

  it.effect("10 pass through the combinators of Stream", () =>
    Effect.gen(function* () {
      const stream = Stream.fromChunks(Pulls.valuesOf([1]), Pulls.valuesOf([2, 3, 4]))
      const listOf = <A>(stream: Stream.Stream<A>) =>
        Effect.map(Stream.runCollect(stream), (values) => Array.from(values))
      expect(yield* listOf(Stream.rechunk(stream, 2))).toEqual([1, 2, 3, 4])
      expect(yield* listOf(Stream.take(stream, 2))).toEqual([1, 2])
      expect(yield* listOf(Stream.drop(stream, 3))).toEqual([4])
      expect(yield* listOf(Stream.map(stream, square))).toEqual([1, 4, 9, 16])
    })
  )
})
