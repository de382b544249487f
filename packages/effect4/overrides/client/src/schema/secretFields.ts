/** Which fields of a schema hold secrets: those that it decodes to a `Redacted`. */
import * as Predicate from "effect/Predicate"
import type * as AST from "effect/SchemaAST"
import * as Parsing from "../effect/parsing.js"

/** The secret fields of a schema, and whether the value itself, or an element or entry of it, is secret. */
export interface Secrets {
  readonly isSecret: boolean
  readonly names: ReadonlySet<string>
}

const none: Secrets = { isSecret: false, names: new Set() }

const both = (all: ReadonlyArray<Secrets>): Secrets => ({
  isSecret: all.some(({ isSecret }) => isSecret),
  names: new Set(all.flatMap(({ names }) => [...names]))
})

const isRedacted = (ast: AST.Declaration): boolean => {
  const representation = ast.annotations?.["representation"]
  return Predicate.hasProperty(representation, "id") && representation.id === "effect/schema/Redacted"
}

/** If only the program's own code decides what becomes a secret field, all that it receives may be secret. */
const allOf = (ast: AST.AST | undefined): Secrets => {
  const isStruct = ast?._tag === "Objects" && ast.encoding === undefined && ast.indexSignatures.length === 0
  return isStruct
    ? { isSecret: false, names: new Set(ast.propertySignatures.map(({ name }) => String(name))) }
    : { isSecret: true, names: new Set() }
}

/** A recursive schema refers to parts that are not known yet: looks again until nothing is added. */
export const secretsOf = (root: AST.AST): Secrets => {
  let before: ReadonlyMap<AST.AST, Secrets> = new Map()
  for (;;) {
    const known = new Map<AST.AST, Secrets>()
    const found = secretsIn(root, known, before)
    if (sizeOf(known) === sizeOf(before)) return found
    before = known
  }
}

const sizeOf = (known: ReadonlyMap<AST.AST, Secrets>): number => {
  let size = 0
  for (const { isSecret, names } of known.values()) size += names.size + (isSecret ? 1 : 0)
  return size
}

const secretsIn = (
  root: AST.AST,
  known: Map<AST.AST, Secrets>,
  before: ReadonlyMap<AST.AST, Secrets>
): Secrets => {
  const find = (ast: AST.AST): Secrets => {
    const found = known.get(ast)
    if (found !== undefined) return found
    // A recursive reference adds what it is known to hold.
    known.set(ast, before.get(ast) ?? none)
    // The last step of an encoding is the first to be decoded.
    const sources = (ast.encoding ?? []).map(({ to }) => to).reverse()
    const made = [...sources.map(find), look(ast)].reduce((from, to, step) => {
      const isUnknown = !from.isSecret && from.names.size === 0 && to.names.size > 0
      return both(isUnknown ? [from, to, allOf(step === 1 ? sources[0] : undefined)] : [from, to])
    })
    known.set(ast, made)
    return made
  }
  /** Without the encoding. */
  const look = (ast: AST.AST): Secrets => {
    switch (ast._tag) {
      case "Declaration": {
        const given = Parsing.givenSchema(ast)
        const inner = both([...ast.typeParameters, ...(given === undefined ? [] : [given.ast])].map(find))
        return isRedacted(ast) ? { ...inner, isSecret: true } : inner
      }
      case "Objects": {
        const fields = ast.propertySignatures.map(({ name, type }): Secrets => {
          const { isSecret, names } = find(type)
          return { isSecret: false, names: isSecret ? new Set([...names, String(name)]) : names }
        })
        return both([...fields, ...ast.indexSignatures.map(({ type }) => find(type))])
      }
      case "Arrays":
        return both([...ast.elements, ...ast.rest].map(find))
      case "Union":
        return both(ast.types.map(find))
      case "Suspend":
        return find(ast.thunk())
      default:
        return none
    }
  }
  return find(root)
}
