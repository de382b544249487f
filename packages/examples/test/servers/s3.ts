/** A bucket of S3 that checks signatures by itself, and is busy once in a while. */
import { createHash, createHmac } from "node:crypto"
import { TestServer } from "@effect-api/testing"
import { gate } from "../fixtures/gate.js"

export const keys = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
}
export const region = "eu-central-1"

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex")
const hmac = (key: string | Uint8Array, data: string) => createHmac("sha256", key).update(data).digest()

const xml = (status: number, body: string) =>
  TestServer.text(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, {
    status,
    headers: { "content-type": "application/xml", "x-amz-request-id": "AMZ1" }
  })
const failed = (status: number, code: string, more = "") =>
  xml(status, `<Error><Code>${code}</Code><Message>${code}, as ever</Message>${more}</Error>`)

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const strict = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** The signature that the request must have (AWS Signature Version 4). */
const signatureOf = (
  { headers, method, path, query }: TestServer.SeenRequest,
  scope: string,
  signed: string
) => {
  const segments = path.split("/").map((segment) => strict(decodeURIComponent(segment)))
  const params = [...query].map(([name, value]) => `${strict(name)}=${strict(value)}`).sort()
  const lines = signed.split(";").map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}\n`)
  const payload = headers["x-amz-content-sha256"] ?? ""
  const canonical = [method, segments.join("/"), params.join("&"), lines.join(""), signed, payload].join("\n")
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n")
  const key = scope.split("/").reduce<string | Uint8Array>(hmac, `AWS4${keys.secretAccessKey}`)
  return hmac(key, text).toString("hex")
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/[\w-]+\/s3\/aws4_request), SignedHeaders=([\w;-]+), Signature=(\w+)$/

/** Why a request is refused, if it is. */
const refusal = (request: TestServer.SeenRequest): string | undefined => {
  const { body, headers } = request
  const [, id, scope = "", signed = "", signature] = form.exec(headers["authorization"] ?? "") ?? []
  if (id !== keys.accessKeyId || scope.split("/")[1] !== region) return "InvalidAccessKeyId"
  const hash = headers["x-amz-content-sha256"]
  if (hash !== "UNSIGNED-PAYLOAD" && hash !== sha256(body)) return "XAmzContentSHA256Mismatch"
  const [year, month, day, hour, minute, second] = (headers["x-amz-date"] ?? "").match(/^\d{4}|\d\d/g) ?? []
  const sentAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!(Math.abs(Date.now() - sentAt) < 900_000)) return "RequestTimeTooSkewed"
  const isComplete = ["host", "x-amz-content-sha256", "x-amz-date"].every((name) =>
    signed.split(";").includes(name)
  )
  return isComplete && signatureOf(request, scope, signed) === signature ? undefined : "SignatureDoesNotMatch"
}

type Handle = (request: TestServer.SeenRequest, key: string) => TestServer.ReplyEffect

export const s3 = () => {
  const objects = new Map<string, Uint8Array>()
  const uploads = new Map<string, Map<number, Uint8Array>>()
  const slow = new Set([2])
  const { counted, pass } = gate(3)

  const signed =
    (reply: Handle): TestServer.Step =>
    (request) => {
      const code = refusal(request)
      return code === undefined ? reply(request, request.params["*"] ?? "") : failed(403, code)
    }
  const stored = (key: string, reply: (data: Uint8Array) => TestServer.Reply) => {
    const data = objects.get(key)
    return data === undefined ? failed(404, "NoSuchKey", `<Key>${escaped(key)}</Key>`) : reply(data)
  }
  const putPart: Handle = ({ body, query }) => {
    const number = Number(query.get("partNumber"))
    // The second part comes at a bad time.
    if (slow.delete(number)) return failed(503, "SlowDown")
    const upload = uploads.get(query.get("uploadId") ?? "")
    if (upload === undefined) return failed(404, "NoSuchUpload")
    upload.set(number, body)
    return pass(TestServer.empty(200, { etag: `"${sha256(body).slice(0, 32)}"` }))
  }
  const complete: Handle = ({ query, text }, key) => {
    const upload = uploads.get(query.get("uploadId") ?? "")
    const listed = [...text.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"(\w+)"<\/ETag>/g)]
    const data = listed.map(([, number, etag]) => {
      const part = upload?.get(Number(number))
      return part !== undefined && sha256(part).startsWith(etag ?? "") ? part : undefined
    })
    if (upload?.size !== data.length || data.includes(undefined)) return failed(400, "InvalidPart")
    // S3 sends the status first, and may fail after it.
    if (key === "late") return failed(200, "InternalError")
    objects.set(key, Buffer.concat(data.filter((part) => part !== undefined)))
    return xml(
      200,
      `<CompleteMultipartUploadResult><Key>${escaped(key)}</Key><ETag>"e-${data.length}"</ETag></CompleteMultipartUploadResult>`
    )
  }

  const routes: TestServer.Routes = {
    "GET /{bucket}": signed(({ query }) => {
      const keys = [...objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? "")).sort()
      const first = Number(query.get("continuation-token") ?? 0)
      const last = first + Number(query.get("max-keys") ?? 1000)
      const contents = keys
        .slice(first, last)
        .map(
          (key) => `<Contents><Key>${escaped(key)}</Key><Size>${objects.get(key)?.length}</Size></Contents>`
        )
      const next = last < keys.length ? `<NextContinuationToken>${last}</NextContinuationToken>` : ""
      return xml(
        200,
        `<ListBucketResult><IsTruncated>${last < keys.length}</IsTruncated>${contents.join("")}${next}</ListBucketResult>`
      )
    }),
    "POST /{bucket}/*": signed((request, key) => {
      if (!request.query.has("uploads")) return complete(request, key)
      const id = `upload-${uploads.size + 1}`
      uploads.set(id, new Map())
      return xml(
        200,
        `<InitiateMultipartUploadResult><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`
      )
    }),
    "PUT /{bucket}/*": signed((request, key) => {
      if (request.headers["content-length"] === undefined) return failed(411, "MissingContentLength")
      if (request.query.has("partNumber")) return putPart(request, key)
      objects.set(key, request.body)
      return TestServer.empty(200, { etag: '"e"' })
    }),
    "HEAD /{bucket}/*": signed((_, key) =>
      objects.has(key)
        ? TestServer.empty(200, { "content-length": String(objects.get(key)?.length) })
        : TestServer.empty(404)
    ),
    "GET /{bucket}/*": signed(({ headers }, key) =>
      stored(key, (data) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers["range"] ?? "") ?? []
        if (key === "cut") return TestServer.bytes(data).pipe(TestServer.resetAfter(10))
        if (from === undefined) return TestServer.bytes(data)
        const end = to ? Number(to) + 1 : data.length
        const range = `bytes ${from}-${end - 1}/${data.length}`
        return TestServer.bytes(data.subarray(Number(from), end), {
          status: 206,
          headers: { "content-range": range }
        })
      })
    )
  }
  return { objects, parts: counted, routes }
}
