/** What is expected to differ, each with its reason. The gate fails for any other difference, and for one that is gone. */
export interface Difference {
  /** The rows that it applies to: a runtime and a transport, as `Firefox page over FetchTransport`. */
  readonly on: RegExp
  /** The case. */
  readonly title: string
  /** What is seen there. */
  readonly seen: RegExp
  readonly why: string
}

const browsers = /^(Chromium|Firefox) /
const cloudflare = /^Cloudflare /

const hidden = "A browser hides from a page why a request failed."

/** Kinds of a failed connection that a browser does not tell apart. */
const hiddenKinds: ReadonlyArray<Difference> = [
  "a refused connection: kind refused, not sent",
  "an unknown host: kind dns, not sent",
  "an unknown certificate: kind tls, not sent, not retried",
  "a reset connection: kind reset",
  "a connection closed without a response: kind closed or reset",
  "a body cut before its length: kind closed or reset",
  "a chunked body cut off: kind closed or reset"
].map((title) => ({ on: browsers, title, seen: /^error: other maybe-applied retried$/, why: hidden }))

const unnamed = "`workerd` has few messages, and no codes, for why a request failed."

const resent =
  "The runtime itself sends a request again if a connection breaks that it has used before. On Deno `NodeTransport` does not."

export const differences: ReadonlyArray<Difference> = [
  {
    on: browsers,
    title: "the user-agent is the client's",
    seen: /^user-agent: Mozilla/,
    why: "A browser sends its own."
  },
  {
    on: /^(Chromium|Firefox|Bun|Cloudflare|Deno( worker)? over Fetch)/,
    title: "a reset connection is retried, and counted",
    seen: /^attempts and requests: \[1,2\]$/,
    why: "The runtime itself repeats a GET whose connection breaks. The client does not see it."
  },
  ...["a POST whose connection is reset is sent once", "a POST whose connection is closed is sent once"].map(
    (title) => ({
      on: /^(Chromium|Firefox|Deno( worker)? over Fetch)/,
      title,
      seen: /^8 calls, and requests: (9|\d\d)$/,
      why: resent
    })
  ),
  ...hiddenKinds,
  {
    on: cloudflare,
    title: "a refused connection: kind refused, not sent",
    seen: /^error: closed maybe-applied retried$/,
    why: unnamed
  },
  {
    on: cloudflare,
    title: "an unknown host: kind dns, not sent",
    seen: /^error: other maybe-applied retried$/,
    why: unnamed
  },
  {
    on: cloudflare,
    title: "an unknown certificate: kind tls, not sent, not retried",
    seen: /^error: other maybe-applied retried$/,
    why: unnamed
  },
  {
    on: cloudflare,
    title: "a reset connection: kind reset",
    seen: /^error: closed maybe-applied retried$/,
    why: unnamed
  },
  {
    on: /^Firefox /,
    title: "a response that is not HTTP: a ConnectionError",
    seen: /^error: ResponseValidationError/,
    why: "Firefox takes it for a response of HTTP/0.9."
  },
  {
    on: /^Firefox /,
    title: "a slow reader holds the server back",
    seen: /^all is written, in MB: 19\d$/,
    why: "Firefox reads ahead into memory, however slow the reader is."
  },
  {
    on: browsers,
    title: "a body is sent while it is made",
    seen: /^nothing arrives while the source goes on/,
    why: "Browsers take no stream over HTTP/1.1. The client first reads the body into memory, up to 256 MiB."
  },
  {
    on: browsers,
    title: "a call with a secret header goes to another origin without it",
    seen: /UnexpectedStatusError.*"status":0/,
    why: "A browser would take the header along. The client does not let it follow: `UnexpectedStatusError` with status 0."
  },
  {
    on: browsers,
    title: "a redirect that is not followed is an error with its status",
    seen: /^status: 0$/,
    why: "A browser hides the status of a redirect that it does not follow: it is 0."
  },
  {
    on: /^(Node|Deno|Bun|Cloudflare).* over FetchHttpClient$/,
    title: "a Blob, with its length",
    seen: /^content-length$/,
    why: "`FetchHttpClient` receives the form as a stream, and sends it in chunks."
  },
  {
    on: cloudflare,
    title: "no rejection is left without a handler",
    seen: /^((AbortError: The operation was aborted|Error: Network connection lost.|Error: Stream was cancelled.)(, )?)+$/,
    why: "`workerd` reports a rejection for every body that breaks off or is left, even to code that handles it."
  }
]
