/** A tunnel through an HTTP proxy (RFC 9110, 9.3.6). */
import { Buffer } from "node:buffer"
import type { Duplex } from "node:stream"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import { notSentError, proxyStatusError } from "../shared/errors.js"
import { proxyHandshake, type ReadReply } from "./proxyHandshake.js"
import { hostPort, type ProxyServer } from "./proxyUrl.js"

/** Limit for all heads together, interim responses included. */
const maxHeadBytes = 64 * 1024

/** The status line is checked up to this length. */
const maxStatusLineBytes = 32

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** It contains nothing for the target, because the proxy reads it unencrypted. */
const connectRequest = ({ authorization }: ProxyServer, target: string): Buffer => {
  const credentials = authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`
  return Buffer.from(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials}\r\n`, "latin1")
}

const responseError = (why: string): Error =>
  notSentError(`the proxy's response ${why}`, "ERR_PROXY_RESPONSE")

/** Reads the head of the response in pieces of any size. It buffers only the start of the status line. */
export const readConnectResponse = (): ReadReply => {
  let seen = 0
  let statusLine = ""
  let status = 0
  let isLineEmpty = true

  const endOfLine = (): Error | undefined => {
    const [, digits] = /^HTTP\/1\.\d ([1-9]\d\d)(?= |\r|$)/.exec(statusLine) ?? []
    if (digits === undefined) return responseError("is not HTTP")
    status = Number(digits)
    // A 101 was not requested. A failed CONNECT needs no further reading.
    return status === 101 || status >= 300 ? proxyStatusError(status) : undefined
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (++seen > maxHeadBytes) return responseError(`has a head of more than ${maxHeadBytes} bytes`)
      if (byte !== lineFeed) {
        if (byte !== carriageReturn) isLineEmpty = false
        if (status === 0 && statusLine.length < maxStatusLineBytes) {
          statusLine += String.fromCharCode(byte)
          const error = checkStart(statusLine)
          if (error !== undefined) return error
        }
      } else if (status === 0) {
        const error = endOfLine()
        if (error !== undefined) return error
        isLineEmpty = true
      } else if (!isLineEmpty) {
        isLineEmpty = true
      } else if (status >= 200) {
        // A successful CONNECT has no body, whatever its headers declare.
        return chunk.length - at - 1
      } else {
        statusLine = ""
        status = 0
      }
    }
    return undefined
  }
}

const versionStart = "HTTP/1."

/** Checked from the first byte: a server of another protocol may wait for the client to continue. */
const checkStart = (line: string): Error | undefined => {
  if (versionStart.startsWith(line.slice(0, versionStart.length))) return undefined
  // TLS records of the types alert and handshake.
  const isTls = line.startsWith("\x15") || line.startsWith("\x16")
  return responseError(isTls ? "is TLS: its URL should begin with https://" : "is not HTTP")
}

/** Opens a tunnel on a socket that is connected to the proxy. */
export const httpTunnel = <S extends Duplex>(
  socket: S,
  proxy: ProxyServer,
  to: { readonly host: string; readonly port: number },
  listener: ConnectListener<S>
): Abort => proxyHandshake(socket, connectRequest(proxy, hostPort(to)), readConnectResponse(), listener)
