/** Which fields of a schema hold secrets: those that it decodes to a `Redacted`. */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
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

const isRedacted = (ast: AST.Declaration): boolean =>
  Option.exists(AST.getTypeConstructorAnnotation(ast), ({ _tag }) => _tag === "effect/Redacted")

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
    const made = look(ast)
    known.set(ast, made)
    return made
  }
  const look = (ast: AST.AST): Secrets => {
    switch (ast._tag) {
      case "Declaration": {
        const given = Parsing.givenSchema(ast)
        const inner = both([...ast.typeParameters, ...(given === undefined ? [] : [given.ast])].map(find))
        return isRedacted(ast) ? { ...inner, isSecret: true } : inner
      }
      case "TypeLiteral": {
        const fields = ast.propertySignatures.map(({ name, type }): Secrets => {
          const { isSecret, names } = find(type)
          return { isSecret: false, names: isSecret ? new Set([...names, String(name)]) : names }
        })
        return both([...fields, ...ast.indexSignatures.map(({ type }) => find(type))])
      }
      case "TupleType":
        return both([...ast.elements, ...ast.rest].map(({ type }) => find(type)))
      case "Union":
        return both(ast.types.map(find))
      case "Refinement":
        return find(ast.from)
      case "Suspend":
        return find(ast.f())
      case "Transformation": {
        const from = find(ast.from)
        const to = find(ast.to)
        // If only the program's own code decides what becomes a secret field, all of the value may be secret.
        const isUnknown = !from.isSecret && from.names.size === 0 && to.names.size > 0
        return { isSecret: from.isSecret || to.isSecret || isUnknown, names: both([from, to]).names }
      }
      default:
        return none
    }
  }
  return find(root)
}
