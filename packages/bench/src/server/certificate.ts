/** A self-signed certificate for the run. */
import { execFileSync } from "node:child_process"

/** Makes a certificate, or returns nothing without openssl. */
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
