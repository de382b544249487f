/** Every page, in reading order: its file in `pages`, and what the sidebar calls it. */
export const groups = [
  {
    title: "Start",
    pages: [
      { file: "getting-started", title: "Getting started" },
      { file: "effect-3-or-4", title: "Effect 3 or 4" }
    ]
  },
  {
    title: "Failure",
    pages: [
      { file: "errors", title: "Errors" },
      { file: "retries", title: "Retries" },
      { file: "quotas", title: "Rate limits" },
      { file: "fleets", title: "Limits of a fleet" },
      { file: "fallback", title: "Fallback" }
    ]
  },
  {
    title: "Data",
    pages: [
      { file: "streams", title: "Streams" },
      { file: "pagination", title: "Pages" },
      { file: "polling", title: "Polling" },
      { file: "files", title: "Files" }
    ]
  },
  {
    title: "Around a call",
    pages: [
      { file: "promises", title: "Promises" },
      { file: "blocking", title: "Blocking calls" },
      { file: "transports", title: "Transports" },
      { file: "runtimes", title: "Runtimes" },
      { file: "configuration", title: "Configuration" },
      { file: "credentials", title: "Credentials" },
      { file: "signing", title: "Signatures" },
      { file: "oauth", title: "OAuth 2" },
      { file: "middleware", title: "Middleware" },
      { file: "caching", title: "Caching" },
      { file: "telemetry", title: "Telemetry and secrets" },
      { file: "dashboard", title: "Dashboard" },
      { file: "testing", title: "Testing" }
    ]
  },
  {
    title: "In a program",
    pages: [
      { file: "examples", title: "Examples" },
      { file: "durable-work", title: "Durable work" },
      { file: "ecosystem", title: "Ecosystem" },
      { file: "own-client", title: "Write your own client" },
      { file: "anthropic", title: "The Anthropic API" },
      { file: "anthropic-clouds", title: "Bedrock, Vertex and Foundry" },
      { file: "migrate", title: "Migrate" }
    ]
  },
  {
    title: "Details",
    pages: [
      { file: "performance", title: "Performance" },
      { file: "limits", title: "Limits" },
      { file: "behaviour", title: "Behaviour" },
      { file: "architecture", title: "Architecture" },
      { file: "security", title: "Security" },
      { file: "contributing", title: "Contributing" }
    ]
  }
]
