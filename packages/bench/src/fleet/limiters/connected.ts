/** A client of ioredis that is connected. */
import { once } from "node:events"
import { Redis } from "ioredis"

export const connected = async (socket: string): Promise<Redis> => {
  const client = new Redis({ path: socket })
  await once(client, "ready")
  return client
}
