/**
 * A tracer that samples every span and keeps it with its attributes and events, in batches as an exporter does. Its spans are those
 * of the tracer that Effect has built in. A full batch is dropped: sending it is no work of the client.
 */
import { Effect, Layer, Tracer } from "effect"

const batchSize = 512

export const layer: Layer.Layer<never> = Layer.unwrapEffect(
  Effect.map(Effect.tracer, (builtIn) => {
    const batch: Array<Tracer.Span> = []
    return Layer.setTracer(
      Tracer.make({
        ...builtIn,
        span: (...options) => {
          const span = builtIn.span(...options)
          if (batch.push(span) === batchSize) batch.length = 0
          return span
        }
      })
    )
  })
)
