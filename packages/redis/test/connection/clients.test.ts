import type { RedisConnection } from "@effect-api/redis"
import type { Cluster, Redis } from "ioredis"
import type { Cluster as Cluster6, Redis as Redis6 } from "ioredis6"
import type { createClient, createCluster } from "redis"
import type { createClient as createClient5, createCluster as createCluster5 } from "redis5"
import { expectTypeOf, it } from "vitest"

it("a connection is made of every client of ioredis and node-redis, 5 and 6", () => {
  expectTypeOf<Redis | Redis6 | Cluster | Cluster6>().toExtend<RedisConnection.IoredisLike>()
  expectTypeOf<
    ReturnType<typeof createClient | typeof createClient5 | typeof createCluster | typeof createCluster5>
  >().toExtend<RedisConnection.NodeRedisLike>()
})
