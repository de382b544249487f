/** Forms, uploads, downloads and redirects. */
import { ApiClient, type ApiRequest, Credentials, ResponseDecoder } from "@effect-api/client"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { cases, check, type Stage, sleep } from "./Case.js"
import { Echo } from "./shapes.js"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const multipart = cases("multipart", {
  "text and bytes": async (stage) => {
    const form = { tags: ["a", "b"], file: { content: utf8("hello"), filename: "ä.txt" } }
    const { headers, text } = await stage.run(ApiClient.post("/upload", { multipart: form, success: Echo }))
    check(text.includes('name="tags[]"') && text.includes('filename="ä.txt"'), "form", text)
    check(/^multipart\/form-data; boundary=/.test(String(headers["content-type"])), "type", headers)
  },
  "a Blob, with its length": async (stage) => {
    const form = { a: "1", file: new Blob(["hello blob"], { type: "text/plain" }) }
    const { headers, length, text } = await stage.run(
      ApiClient.post("/upload", { multipart: form, success: Echo })
    )
    check(text.includes("hello blob"), "form", text)
    check(headers["content-length"] === String(length), "content-length", headers["content-length"])
  },
  "a File, sent again by a retry": async (stage) => {
    const form = { file: new File(["hello file"], "f.txt", { type: "text/plain" }) }
    const { text } = await stage.run(ApiClient.post("/upload/1", { multipart: form, success: Echo }), {
      retry: { maxRetries: 2 }
    })
    check(text.includes("hello file") && text.includes('filename="f.txt"'), "form", text)
  },
  "a form reports its progress": async (stage) => {
    const seen: Array<ResponseDecoder.Progress> = []
    const form = { file: { content: new Uint8Array(300_000), filename: "x" } }
    const { length } = await stage.run(
      ApiClient.post("/upload", {
        multipart: form,
        onUpload: (progress: ResponseDecoder.Progress) => seen.push(progress),
        success: Echo
      })
    )
    check(seen.length > 1 && seen.at(-1)?.bytes === length, "progress", seen.at(-1))
  }
})

async function* slowly(...texts: ReadonlyArray<string>) {
  for (const text of texts) {
    await sleep(20)
    yield utf8(text)
  }
}

const bytes = (total: number): ReadableStream<Uint8Array> => {
  let left = total
  return new ReadableStream({
    pull: (controller) => {
      if (left === 0) return controller.close()
      const chunk = new Uint8Array(Math.min(65_536, left))
      left -= chunk.length
      controller.enqueue(chunk)
    }
  })
}

const put = (op: string, bodyStream: ApiRequest.BodyStream) =>
  ApiClient.put(`/${op}`, { bodyStream, success: Echo })

const isText = async (stage: Stage, source: ApiRequest.BodyStream): Promise<void> => {
  const { text } = await stage.run(put("upload", source))
  check(text === "hello", "body", text)
}

const uploads = cases("uploads", {
  "an Effect stream": (stage) => isText(stage, () => Stream.make(utf8("hel"), utf8("lo"))),
  "an async iterable": (stage) => isText(stage, () => slowly("hel", "lo")),
  "a ReadableStream": (stage) => isText(stage, new Blob(["hello"]).stream()),
  "a function is called for every attempt": async (stage) => {
    let made = 0
    const source = () => {
      made++
      return bytes(1_000_000)
    }
    const { length } = await stage.run(put("upload/1", source), { retry: { maxRetries: 2 } })
    check(length === 1_000_000 && made === 2, "length and sources", [length, made])
  },
  "a stream that is read once is not retried": async (stage) => {
    const error = await stage.fails(put("upload/1", bytes(100_000)), { retry: { maxRetries: 2 } })
    check(error._tag === "ServiceUnavailableError" && error.stoppedBy === "not-replayable", "error", error)
  },
  "a source that fails is the error, and never a success": async (stage) => {
    const source = async function* () {
      yield new Uint8Array(1000)
      await sleep(30)
      throw new Error("disk gone")
    }
    const error = await stage.fails(put("upload", source))
    check(error._tag === "InvalidRequestError" && error.message.includes("disk gone"), "error", error)
  },
  "a body is sent while it is made": async (stage) => {
    const source = async function* () {
      for (;;) {
        yield new Uint8Array(1000)
        await sleep(20)
      }
    }
    const fiber = stage.fork(put("upload", source))
    try {
      await stage.until("nothing arrives while the source goes on", ({ requests }) =>
        requests.some(({ received }) => received > 2000)
      )
    } finally {
      await Effect.runPromise(Fiber.interrupt(fiber))
    }
    await stage.closes()
  },
  "a response that comes before the upload is over": async (stage) => {
    const error = await stage.fails(put("early", () => bytes(20_000_000)))
    check(error._tag === "RequestTooLargeError", "error", error)
  }
})

const downloads = cases("downloads", {
  "a stream reports its progress": async (stage) => {
    const seen: Array<ResponseDecoder.Progress> = []
    const success = ResponseDecoder.stream({ onDownload: (progress) => void seen.push(progress) })
    const opened = ApiClient.get("/download", { query: { size: 500_000 }, success })
    const size = await stage.run(
      Effect.flatMap(opened, (chunks) => Stream.runFold(chunks, 0, (sum, { length }) => sum + length))
    )
    check(size === 500_000 && seen.at(-1)?.bytes === size, "bytes", [size, seen.at(-1)])
  },
  "a download that is cut off is a ConnectionError": async (stage) => {
    const opened = ApiClient.get("/cut/length", { success: ResponseDecoder.stream() })
    const error = await stage.fails(Effect.flatMap(opened, Stream.runDrain))
    check(error._tag === "ConnectionError", "error", error)
  },
  "bytes and text": async (stage) => {
    const size = { query: { size: 10 } }
    const { length } = await stage.run(
      ApiClient.get("/download", { ...size, success: ResponseDecoder.bytes })
    )
    const text = await stage.run(ApiClient.get("/html", { success: ResponseDecoder.text }))
    check(length === 10 && text === "<html>proxy</html>", "bodies", [length, text])
  }
})

const turned = async (stage: Stage, status: number, method: string, text: string): Promise<void> => {
  const echo = await stage.run(
    ApiClient.post(`/redirect/${status}`, { body: { a: 1 }, query: { to: "../echo" }, success: Echo })
  )
  check(echo.method === method && echo.text === text, "redirected to", [echo.method, echo.text])
}

/** A call with two secret headers that is redirected to the other origin. */
const withSecrets = (stage: Stage) => {
  const to = `${stage.base(stage.setting.ports.other)}/echo`
  const headers = { "x-also": Redacted.make("secret-2") }
  const call = ApiClient.get("/redirect/302", { query: { to }, headers, success: Echo })
  return stage.run(call, { credentials: Credentials.header("x-key", Redacted.make("secret-1")) })
}

const unfollowed = (stage: Stage) => {
  const call = ApiClient.get("/redirect/302", { query: { to: "../echo" } })
  return stage.fails(call, { redirects: 0 })
}

const redirects = cases("redirects", {
  "301, 302 and 303 turn a POST into a GET": async (stage) => {
    for (const status of [301, 302, 303]) await turned(stage, status, "GET", "")
  },
  "307 and 308 repeat a POST with its body": async (stage) => {
    for (const status of [307, 308]) await turned(stage, status, "POST", '{"a":1}')
  },
  "another origin receives no bearer token": async (stage) => {
    const to = `${stage.base(stage.setting.ports.other)}/echo`
    const { headers } = await stage.run(ApiClient.get("/redirect/302", { query: { to }, success: Echo }), {
      credentials: Credentials.bearer(Redacted.make("secret-1"))
    })
    check(!JSON.stringify(headers).includes("secret"), "secrets sent", headers)
  },
  "another origin receives no secret header of any name": async (stage) => {
    await withSecrets(stage).catch(() => undefined)
    const { requests } = await stage.log()
    const leaked = requests.filter(({ headers }) => JSON.stringify(headers).includes("secret"))
    check(leaked.length === 1, "requests with secrets, of which the first is our own", leaked)
  },
  "a call with a secret header goes to another origin without it": async (stage) => {
    const { headers } = await withSecrets(stage)
    check(!JSON.stringify(headers).includes("secret"), "secrets sent", headers)
  },
  "redirects: 0 follows none": async (stage) => {
    const error = await unfollowed(stage)
    const { requests } = await stage.log()
    check(error._tag === "UnexpectedStatusError" && requests.length === 1, "error", error)
  },
  "a redirect that is not followed is an error with its status": async (stage) => {
    const error = await unfollowed(stage)
    const status = "status" in error ? error.status : undefined
    check(status === 302, "status", status)
  },
  "a loop of redirects ends": async (stage) => {
    await stage.fails(ApiClient.get("/loop"))
    const { requests } = await stage.log()
    check(requests.length <= 25, "requests", requests.length)
  }
})

export const bodies = [multipart, uploads, downloads, redirects].flat()
