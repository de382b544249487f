/** Origins taken apart, once each: a program talks to few servers. */

interface Server {
  readonly address: string
  readonly port: number
}

const servers = new Map<string, Server>()

/** The host and the port of an origin. */
export const serverOf = (origin: string): Server => {
  const known = servers.get(origin)
  if (known !== undefined) return known
  const { hostname, port, protocol } = new URL(origin)
  const server = { address: hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }
  servers.set(origin, server)
  return server
}
