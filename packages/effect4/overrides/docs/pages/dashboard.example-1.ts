import { ApiClient, FetchTransport } from "@effect-api/client"
import { Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpMetrics, OtlpSerialization } from "effect/observability"

const Exporter = OtlpMetrics.layer({
  url: "http://localhost:9090/api/v1/otlp/v1/metrics",
  resource: { serviceName: "worker" },
  exportInterval: "10 seconds"
}).pipe(Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer]))

export const Live = ApiClient.layer({ baseUrl: "https://api.example.com", name: "todos" }).pipe(
  Layer.provide(FetchTransport.layer),
  Layer.merge(Exporter)
)
