/** A certificate for the run, which nobody has signed. */
import { execFileSync } from "node:child_process"

/** Nothing where there is no openssl to make it with. */
export const certificate = (): { readonly key: string; readonly cert: string } | undefined => {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "-"]
  const subject = ["-subj", "/CN=localhost", "-days", "2"]
  try {
    const both = execFileSync("openssl", ["req", "-x509", ...key, ...subject], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
    return { key: both, cert: both }
  } catch {
    return undefined
  }
}
