/** A tunnel through a proxy of HTTP (RFC 9110, 9.3.6). */
import { Buffer } from "node:buffer"
import type { Duplex } from "node:stream"
import type { Abort, Connecting } from "../connect/connecting.js"
import { failedBefore, refusedByProxy } from "../shared/errors.js"
import { perform, type Read } from "./proxyHandshake.js"
import { hostPort, type ProxyServer } from "./proxyUrl.js"

/** Of all heads of a response, interim ones too. */
const longestHead = 64 * 1024

/** What of a status line is looked at. */
const longestStatus = 32

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** The request, and nothing in it that is for the target: the proxy reads it in the clear. */
const request = ({ authorization }: ProxyServer, target: string): Buffer => {
  const credentials = authorization === undefined ? "" : `proxy-authorization: ${authorization}\r\n`
  return Buffer.from(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials}\r\n`, "latin1")
}

const unreadable = (why: string): Error => failedBefore(`the proxy's response ${why}`, "ERR_PROXY_RESPONSE")

/** Reads the head of the response, in whatever pieces it comes. It keeps no more than the start of the status line. */
export const reader = (): Read => {
  let seen = 0
  let statusLine = ""
  let status = 0
  let isLineEmpty = true

  const endOfLine = (): Error | undefined => {
    const [, digits] = /^HTTP\/1\.\d ([1-9]\d\d)(?= |\r|$)/.exec(statusLine) ?? []
    if (digits === undefined) return unreadable("is not HTTP")
    status = Number(digits)
    // A 101 answers a request that was not made. What is no tunnel needs no more reading.
    return status === 101 || status >= 300 ? refusedByProxy(status) : undefined
  }

  return (chunk) => {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (++seen > longestHead) return unreadable(`has a head of more than ${longestHead} bytes`)
      if (byte !== lineFeed) {
        if (byte !== carriageReturn) isLineEmpty = false
        if (status === 0 && statusLine.length < longestStatus) {
          statusLine += String.fromCharCode(byte)
          const error = misbegun(statusLine)
          if (error !== undefined) return error
        }
      } else if (status === 0) {
        const error = endOfLine()
        if (error !== undefined) return error
        isLineEmpty = true
      } else if (!isLineEmpty) {
        isLineEmpty = true
      } else if (status >= 200) {
        // Whatever its headers say of a body, there is none.
        return chunk.length - at - 1
      } else {
        statusLine = ""
        status = 0
      }
    }
    return undefined
  }
}

const beginning = "HTTP/1."

/** Said at the first byte: who speaks something else may wait for us to go on. */
const misbegun = (line: string): Error | undefined => {
  if (beginning.startsWith(line.slice(0, beginning.length))) return undefined
  // The records of TLS: an alert, or a handshake.
  const isTls = line.startsWith("\x15") || line.startsWith("\x16")
  return unreadable(isTls ? "is TLS: its URL should begin with https://" : "is not HTTP")
}

/** On a socket that is connected to the proxy. */
export const connectTunnel = (
  socket: Duplex,
  proxy: ProxyServer,
  to: { readonly host: string; readonly port: number },
  listener: Connecting<Duplex>
): Abort => perform(socket, request(proxy, hostPort(to)), reader(), listener)
