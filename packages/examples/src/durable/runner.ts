/** One process that runs workflows, and a journal in a file of SQLite. */
import { ClusterWorkflowEngine, SingleRunner } from "@effect/cluster"
import { LibsqlClient } from "@effect/sql-libsql"
import { Layer } from "effect"

export const Runner = (file: string) =>
  ClusterWorkflowEngine.layer.pipe(
    Layer.provideMerge(SingleRunner.layer({ runnerStorage: "memory" })),
    Layer.provide(LibsqlClient.layer({ url: `file:${file}`, intMode: "bigint" }))
  )
