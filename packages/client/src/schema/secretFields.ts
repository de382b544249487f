/** Which fields of a schema hold secrets: those that it decodes to a `Redacted`. */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import * as Parsing from "../effect/parsing.js"
import { both, type Look, none, type Secrets, untilKnown } from "./knownSecrets.js"

const isRedacted = (ast: AST.Declaration): boolean =>
  Option.exists(AST.getTypeConstructorAnnotation(ast), ({ _tag }) => _tag === "effect/Redacted")

export const secretsOf = (root: AST.AST): Secrets => untilKnown(root, look)

const look: Look<AST.AST> = (ast, find) => {
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
