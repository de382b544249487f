/**
 * The server of every run, in a process of its own: two origins, one with a certificate that nobody trusts, and a port
 * that refuses. The runtimes post their results to it.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import type { AddressInfo, Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Ports } from "../suite/Case.js"
import type { Served } from "./Exchange.js"
import { respond, seen } from "./operations.js"
import { files } from "./pages.js"

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return (server.address() as AddressInfo).port
}

const cors = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  response.setHeader("access-control-allow-origin", request.headers.origin ?? "*")
  response.setHeader("access-control-allow-headers", request.headers["access-control-request-headers"] ?? "*")
  response.setHeader("access-control-allow-methods", "GET,HEAD,POST,PUT,PATCH,DELETE")
  response.setHeader("access-control-expose-headers", "request-id,retry-after,retry-after-ms,link")
}

const serve = async (request: Http.IncomingMessage, response: Http.ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://server")
  const [, kind = "", id = "", op = "", argument = ""] = url.pathname.split("/")
  cors(request, response)
  if (request.method === "OPTIONS") return void response.writeHead(204).end()
  const served: Served = { request, response, url, id, op, argument }
  switch (kind) {
    case "t":
      return respond(served)
    case "log":
      return void response.setHeader("content-type", "application/json").end(JSON.stringify(seen(id)))
    case "result": {
      const parts: Array<Uint8Array> = []
      for await (const part of request) parts.push(part)
      process.send?.({ run: id, result: JSON.parse(Buffer.concat(parts).toString()) })
      return void response.writeHead(204).end()
    }
    case "file": {
      const file = files(id)
      return void (file === undefined
        ? response.writeHead(404).end()
        : response.writeHead(200, { "content-type": file.type }).end(file.text))
    }
    default:
      return void response.writeHead(404).end()
  }
}

const listener: Http.RequestListener = (request, response) => {
  request.on("error", () => undefined)
  response.on("error", () => undefined)
  serve(request, response).catch((cause: unknown) => {
    // Cases cut connections: anything else is worth a line.
    if (!/aborted|ECONNRESET|premature/i.test(String(cause))) console.error("server:", cause)
  })
}

/** A key and a certificate that no authority has signed, made for the run. */
const selfSigned = (): { readonly key: string; readonly cert: string } => {
  const folder = mkdtempSync(join(tmpdir(), "effect-api-tls-"))
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject]
  try {
    execFileSync("openssl", made, { stdio: "ignore" })
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const dead = Http.createServer()
const ports: Ports = {
  main: await listen(Http.createServer({ keepAliveTimeout: 30_000 }, listener)),
  other: await listen(Http.createServer(listener)),
  tls: await listen(Https.createServer(selfSigned(), listener)),
  dead: await listen(dead)
}
dead.close()
process.send?.({ ports })
// The end of the parent is the end of the server.
process.on("disconnect", () => process.exit(0))
