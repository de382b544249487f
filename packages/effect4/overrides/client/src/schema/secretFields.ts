/** Which fields of a schema hold secrets: those that it decodes to a `Redacted`. */
import * as Predicate from "effect/Predicate"
import type * as AST from "effect/SchemaAST"
import * as Parsing from "../effect/parsing.js"
import { both, type Look, none, type Secrets, untilKnown } from "./knownSecrets.js"

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

export const secretsOf = (root: AST.AST): Secrets =>
  untilKnown(root, (ast, find) => {
    // The last step of an encoding is the first to be decoded.
    const sources = (ast.encoding ?? []).map(({ to }) => to).reverse()
    return [...sources.map(find), withoutEncoding(ast, find)].reduce((from, to, step) => {
      const isUnknown = !from.isSecret && from.names.size === 0 && to.names.size > 0
      return both(isUnknown ? [from, to, allOf(step === 1 ? sources[0] : undefined)] : [from, to])
    })
  })

/** Without the encoding. */
const withoutEncoding: Look<AST.AST> = (ast, find) => {
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
