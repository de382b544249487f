/** The errors of a connection, without what clients keep on theirs: commands with passwords, URLs with users. */

/** `redis://user:password@host` without the user. */
const withoutUser = (text: string): string => text.replace(/(\w+:\/\/)\S*@/g, "$1")

const copyOf = (cause: unknown): Error => {
  if (!(cause instanceof Error)) return new Error(withoutUser(String(cause)))
  const { message, name } = cause
  return Object.assign(new Error(withoutUser(message)), {
    name,
    ...("code" in cause ? { code: cause.code } : {})
  })
}

/** The error of what Redis or its client refused. */
export const failed = (error: unknown): Error => {
  const cause = copyOf(error)
  return new Error(`Redis: ${cause.message}`, { cause })
}

/** The error of a script that was not sent. */
export const offline = (status: string): Error =>
  new Error(`Redis: there is no connection, the client is ${status}`)
