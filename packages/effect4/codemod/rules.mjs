// What has another shape on Effect 4. A rule takes a node and gives its text on Effect 4, or undefined where it has nothing to say.
import ts from "typescript"
import { expectedSides } from "./expectRules.mjs"
import { onFour, version } from "./manifest.mjs"
import { fieldOf, isField, own, sides, tags } from "./renames.mjs"
import { scheduleCalls, scheduleMembers } from "./scheduleRules.mjs"
import { literalTypes, schemaCalls, schemaMembers, schemaTypes } from "./schemaRules.mjs"
import { isObject, property, split, valueOf } from "./syntax.mjs"
import { declarersOf, makerOf } from "./types.mjs"

/** `module#member` called with as many arguments as stand there, printed by `make`. */
const call = (make) => (node, context) => make(node.arguments.map(context.print), context, node)

/** Functions of a value and a setting that became the service of a reference: `f(effect, x)` and `f(x)`. */
const provided =
  (module, name) =>
  (node, { need, print }) => {
    const [self, value] = split(node, print)
    return `${need("effect/Effect")}.provideService(${self}${need(module)}.${name}, ${print(value)})`
  }

const isCallOf = (node, id, { idOf }) => ts.isCallExpression(node) && idOf(node.expression) === id

/** `Effect.map(_, Chunk.toReadonlyArray)`: values come as arrays on Effect 4. */
const isToArray = (node, context) => context.idOf(node) === "effect/Chunk#toReadonlyArray"

const platformError = (reasons) => (node, context) => {
  const [fields] = node.arguments ?? []
  if (!fields || !isObject(fields)) return undefined
  const reason = property(fields, "reason")
  const name = reason && ts.isPropertyAssignment(reason) && reasons[reason.initializer.text]
  if (!name) return context.refuse(node, "an error of the platform needs its reason as a word")
  const rest = fields.properties.filter((item) => item !== reason).map(context.print)
  const module = context.need("@effect/platform/HttpClientError")
  return `new ${module}.HttpClientError({ reason: new ${module}.${name}({ ${rest.join(", ")} }) })`
}

const refused = (why) => (node, context) => context.refuse(node, why)

/** A fold, whose first state is made anew for each run on Effect 4. */
const folded =
  (name) =>
  (node, { need, print }) => {
    const [self, initial, step] = split(node, print, 2)
    const first = isObject(initial) ? `(${print(initial)})` : print(initial)
    return `${need("effect/Stream")}.${name}(${self}() => ${first}, ${print(step)})`
  }

/** Calls by "module#member". */
export const calls = {
  ...schemaCalls,
  ...scheduleCalls,
  "@effect/platform/HttpClientError#RequestError": platformError({
    Transport: "TransportError",
    Encode: "EncodeError",
    InvalidUrl: "InvalidUrlError"
  }),
  "@effect/platform/HttpClientError#ResponseError": platformError({
    StatusCode: "StatusCodeError",
    Decode: "DecodeError",
    EmptyBody: "EmptyBodyError"
  }),
  // The name comes first.
  "@effect/workflow/Workflow#make": (node, context) => {
    const [options] = node.arguments
    const name = options && isObject(options) && property(options, "name")
    if (!name) return context.refuse(node, "a workflow needs its name where it is made")
    const rest = options.properties.filter((item) => item !== name).map(context.print)
    return `${context.need("@effect/workflow/Workflow")}.make(${valueOf(name, context.print)}, { ${rest.join(", ")} })`
  },
  // Causes are always printed with the causes of their errors.
  "effect/Cause#pretty": call(([cause], { need }) => `${need("effect/Cause")}.pretty(${cause})`),
  "@effect/platform/HttpClient#withTracerPropagation": call(([client, isOn], { need }) => {
    const module = need("@effect/platform/HttpClient")
    const service = `${need("effect/Effect")}.provideService(${module}.TracerPropagationEnabled, ${isOn})`
    return `${module}.transformResponse(${client}, ${service})`
  }),
  "effect/Chunk#toReadonlyArray": call(([values]) => values),
  "effect/Context#GenericTag": (node, context) => {
    const types = node.typeArguments?.map(context.print) ?? []
    return `${context.need("effect/Context")}.Service<${types.join(", ")}>(${node.arguments.map(context.print).join(", ")})`
  },
  "effect/ConfigProvider#fromMap": call(
    ([map], { need }) => `${need("effect/ConfigProvider")}.fromEnvRecord(Object.fromEntries(${map}))`
  ),
  "effect/Deferred#unsafeMake": (node, { need, print }) => {
    const types = node.typeArguments?.map(print).join(", ")
    return `${need("effect/Deferred")}.makeUnsafe${types ? `<${types}>` : ""}()`
  },
  "effect/Effect#dieMessage": call(
    ([message], { need }) => `${need("effect/Effect")}.die(new Error(${message}))`
  ),
  "effect/Effect#flatten": (node, context) => {
    const [self] = node.arguments
    const { checker, need, print } = context
    const inner = self && checker.getTypeArguments(checker.getTypeAtLocation(self))[0]
    const [id, name] = (inner && makerOf(inner)?.split("#")) ?? []
    return id && `${need("effect/Effect")}.flatMap(${print(self)}, ${need(id)}.${name})`
  },
  "effect/Effect#map": (node, context) => {
    const [self, map] = node.arguments
    return map && isToArray(map, context) ? context.print(self) : undefined
  },
  "effect/Effect#repeatN": (node, { need, print }) => {
    const [self, times] = split(node, print)
    return `${need("effect/Effect")}.repeat(${self}{ times: ${print(times)} })`
  },
  "effect/Effect#yieldNow": (node, { need }) =>
    node.arguments.length === 0 ? `${need("effect/Effect")}.yieldNow` : undefined,
  "effect/Effect#timeoutFail": (node, context) => {
    const { print } = context
    const [self, options] = split(node, print)
    if (!isObject(options)) return context.refuse(node, "the options of timeoutFail must stand there")
    const effect = context.need("effect/Effect")
    const duration = print(property(options, "duration"))
    const failure = property(options, "onTimeout")
    const handler = ts.isPropertyAssignment(failure) ? failure.initializer : undefined
    const error =
      handler && ts.isArrowFunction(handler) && !ts.isBlock(handler.body)
        ? print(handler.body)
        : `${valueOf(failure, print)}()`
    return `${effect}.timeoutOrElse(${self}{ ${duration}, orElse: () => ${effect}.fail(${error}) })`
  },
  "effect/Effect#zipLeft": call((args, { need }) =>
    args.length > 1
      ? `${need("effect/Effect")}.tap(${args[0]}, () => ${args[1]})`
      : `${need("effect/Effect")}.tap(() => ${args[0]})`
  ),
  "effect/Effect#withClock": provided("effect/Clock", "Clock"),
  "effect/Effect#withConfigProvider": provided("effect/ConfigProvider", "ConfigProvider"),
  "effect/Effect#withRandom": provided("effect/Random", "Random"),
  "effect/Effect#withScheduler": provided("effect/Scheduler", "Scheduler"),
  "effect/Effect#tagMetrics": (node, { need, print }) => {
    const [self, name, value] = split(node, print, 2)
    const tags = `{ [${print(name)}]: ${print(value)} }`
    return `${need("effect/Effect")}.provideService(${self}${need("effect/Metric")}.CurrentMetricAttributes, ${tags})`
  },
  "effect/Either#isEither": refused(
    "an Either that is known by a test at run time: nothing on Effect 4 passes it"
  ),
  // Nobody is named who interrupted it.
  "effect/Exit#interrupt": (_node, { need }) => `${need("effect/Exit")}.interrupt()`,
  // On Effect 3 the exit of the fiber comes back, too.
  "effect/Fiber#interrupt": (node, { need, print }) => {
    const module = need("effect/Fiber")
    const [fiber] = node.arguments
    const interrupted = `${module}.interrupt(${print(fiber)})`
    const isIdle = ts.isYieldExpression(node.parent) && ts.isExpressionStatement(node.parent.parent)
    return isIdle
      ? interrupted
      : `${need("effect/Effect")}.andThen(${interrupted}, ${module}.await(${print(fiber)}))`
  },
  "effect/Fiber#poll": call(
    ([fiber], { need }) =>
      `${need("effect/Effect")}.sync(() => ${need("effect/Option")}.fromNullishOr(${fiber}.pollUnsafe()))`
  ),
  "effect/Layer#fail": call(
    ([error], { need }) => `${need("effect/Layer")}.unwrap(${need("effect/Effect")}.fail(${error}))`
  ),
  "effect/Layer#setConfigProvider": call(
    ([provider], { need }) => `${need("effect/ConfigProvider")}.layer(${provider})`
  ),
  "effect/Layer#setTracer": call(
    ([tracer], { need }) => `${need("effect/Layer")}.succeed(${need("effect/Tracer")}.Tracer, ${tracer})`
  ),
  "effect/Logger#add": call(
    ([logger], { need }) => `${need("effect/Logger")}.layer([${logger}], { mergeWithExisting: true })`
  ),
  "effect/Logger#minimumLogLevel": call(
    ([level], { need }) =>
      `${need("effect/Layer")}.succeed(${need("effect/References")}.MinimumLogLevel, ${level})`
  ),
  "effect/Logger#remove": call((_args, { need }) => `${need("effect/Logger")}.layer([])`),
  "effect/Logger#replace": call(([, logger], { need }) => `${need("effect/Logger")}.layer([${logger}])`),
  "effect/Logger#withMinimumLogLevel": provided("effect/References", "MinimumLogLevel"),
  "effect/Metric#tagged": (node, { need, print }) => {
    const [self, name, value] = split(node, print, 2)
    return `${need("effect/Metric")}.withAttributes(${self}{ [${print(name)}]: ${print(value)} })`
  },
  "effect/Cause#failureOrCause": refused("its sides are swapped on Effect 4"),
  // What says how a span is traced is apart from what the span holds.
  "effect/Effect#withSpan": (node, { need, print }) => {
    const options = node.arguments.at(-1)
    const trace = isObject(options) && property(options, "captureStackTrace")
    if (!trace) return undefined
    const others = options.properties.filter((item) => item !== trace).map(print)
    const before = node.arguments.slice(0, -1).map(print)
    return `${need("effect/Effect")}.withSpan(${[...before, `{ ${others.join(", ")} }`, `{ ${print(trace)} }`].join(", ")})`
  },
  "effect/Struct#omit": (node, { need, print }) => {
    const [first] = node.arguments
    const self = ts.isStringLiteral(first) ? [] : [first]
    const keys = node.arguments.slice(self.length).map(print)
    return `${need("effect/Struct")}.omit(${[...self.map(print), `[${keys.join(", ")}]`].join(", ")})`
  },
  "effect/Stream#runFold": folded("runFold"),
  "effect/Stream#runFoldEffect": folded("runFoldEffect"),
  "effect/Stream#repeatValue": call(
    ([value], { need }) => `${need("effect/Stream")}.forever(${need("effect/Stream")}.succeed(${value}))`
  )
}

const testServices = (_node, { need }) => `${need("effect/TestClock")}.layer()`

const level = (word) => () => `"${word}"`

/** Members, as values and in types, by "module#member". */
export const members = {
  ...schemaMembers,
  ...scheduleMembers,
  "effect/TestContext#TestContext": testServices,
  "effect/LogLevel#All": level("All"),
  "effect/LogLevel#Trace": level("Trace"),
  "effect/LogLevel#Debug": level("Debug"),
  "effect/LogLevel#Info": level("Info"),
  "effect/LogLevel#Warning": level("Warn"),
  "effect/LogLevel#Error": level("Error"),
  "effect/LogLevel#Fatal": level("Fatal"),
  "effect/LogLevel#None": level("None"),
  // `class X extends Context.Tag("X")<X, Shape>() {}`
  "effect/Context#Tag": (node, context) =>
    ts.isCallExpression(node.parent)
      ? undefined
      : ts.isQualifiedName(node)
        ? `${context.need("effect/Context")}.Key`
        : undefined
}

/** `fiber.unsafeInterruptAsFork(id)`: whose interruption it is needs no saying. */
const interrupting = (node, { checker, print }) => {
  const { expression } = node
  if (!ts.isPropertyAccessExpression(expression) || expression.name.text !== "unsafeInterruptAsFork")
    return undefined
  return declarersOf(expression, checker).includes("Fiber")
    ? `${print(expression.expression)}.interruptUnsafe()`
    : undefined
}

const renamed = (node, context) => {
  if (!isField(node.name.text)) return undefined
  const [to] = declarersOf(node, context.checker).flatMap((module) => fieldOf(module, node.name.text) ?? [])
  return to && `${context.print(node.expression)}${node.questionDotToken ? "?." : "."}${to}`
}

/** `class X extends Context.Tag("X")<X, Shape>()`, whose key moves to the second call. */
const service = (node, context) => {
  const inner = node.expression
  if (!ts.isCallExpression(inner) || context.idOf(inner.expression) !== "effect/Context#Tag") return undefined
  const types = node.typeArguments?.map(context.print).join(", ")
  return `${context.need("effect/Context")}.Service<${types}>()(${inner.arguments.map(context.print).join(", ")})`
}

/** Steps of a pipe that have nothing to do on Effect 4 go. */
const piped = (node, context) => {
  const isPipe = ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === "pipe"
  if (!isPipe) return undefined
  const isIdle = (step) =>
    isCallOf(step, "effect/Effect#map", context) &&
    step.arguments.length === 1 &&
    isToArray(step.arguments[0], context)
  const steps = node.arguments.filter((step) => !isIdle(step))
  if (steps.length === node.arguments.length) return undefined
  const self = context.print(node.expression.expression)
  return steps.length === 0 ? self : `${self}.pipe(${steps.map(context.print).join(", ")})`
}

/** `Config.Config.Wrap` has lost the middle. */
const configTypes = (node, { idOf, need }) =>
  ts.isQualifiedName(node.left) && idOf(node.left) === "effect/Config#Config"
    ? `${need("effect/Config")}.${node.right.text}`
    : undefined

const effectTypes = { Success: "Success", Error: "Error", Context: "Services" }

/** `Effect.Effect.Success` has lost the middle, too. */
const typesOfEffects = (node, { idOf, need }) => {
  const { text } = node.right
  if (!ts.isQualifiedName(node.left) || idOf(node.left) !== "effect/Effect#Effect") return undefined
  return Object.hasOwn(effectTypes, text) ? `${need("effect/Effect")}.${effectTypes[text]}` : undefined
}

/** An Either that is spelled as a value: `{ _tag: "Left", left: 1 }`. */
const spelled = (node, context) => {
  const tag = property(node, "_tag")
  const side =
    tag && ts.isPropertyAssignment(tag) && ts.isStringLiteral(tag.initializer) && sides[tag.initializer.text]
  if (!side) return undefined
  const from = tag.initializer.text.toLowerCase()
  const items = node.properties.map((item) => {
    if (item === tag) return `_tag: "${side}"`
    if (item.name?.text !== from) return context.print(item)
    return `${side.toLowerCase()}: ${valueOf(item, context.print)}`
  })
  return `{ ${items.join(", ")} }`
}

const handlers = { onLeft: "onFailure", onRight: "onSuccess" }

const handler = (node, context) => {
  const name = ts.isIdentifier(node.name) ? node.name.text : undefined
  if (!name || !Object.hasOwn(handlers, name)) return undefined
  if (ts.isPropertyAssignment(node)) return `${handlers[name]}: ${context.print(node.initializer)}`
  return undefined
}

/** The version of our own packages, as a word of a text. */
const ours = new RegExp(`(?<![\\w.])${version.replaceAll(".", "\\.")}(?![\\w.])`, "g")

/** A name of ours that is another one on Effect 4, where it is declared and where it is used. */
const ownName = (node, { checker }) => {
  const [module, to] = own[node.text] ?? []
  const isOurs =
    module &&
    checker
      .getSymbolAtLocation(node)
      ?.declarations?.some((declaration) =>
        declaration.getSourceFile().fileName.endsWith(`/client/src/${module}.ts`)
      )
  return isOurs ? to : undefined
}

/** Whole nodes by their kind. */
export const nodes = {
  [ts.SyntaxKind.CallExpression]: (node, context) =>
    service(node, context) ?? piped(node, context) ?? interrupting(node, context),
  [ts.SyntaxKind.Identifier]: ownName,
  [ts.SyntaxKind.PropertyAccessExpression]: renamed,
  [ts.SyntaxKind.TypeReference]: literalTypes,
  [ts.SyntaxKind.QualifiedName]: (node, context) =>
    schemaTypes(node, context) ?? configTypes(node, context) ?? typesOfEffects(node, context),
  [ts.SyntaxKind.ObjectLiteralExpression]: (node, context) =>
    spelled(node, context) ?? expectedSides(node, context),
  [ts.SyntaxKind.PropertyAssignment]: handler,
  [ts.SyntaxKind.StringLiteral]: (node) => {
    const text = Object.hasOwn(tags, node.text) ? tags[node.text] : node.text.replace(ours, onFour(version))
    return text === node.text ? undefined : JSON.stringify(text)
  }
}
