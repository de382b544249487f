// The rooms of a package: where each file stands, what it imports, and the map of it all.
import { dirname, join } from "node:path"
import { read } from "./syntax.mjs"
import { show, sources } from "./workspace.mjs"

/** The room of a module: its folder, or the file itself where it stands in src. */
export const roomOf = (module) =>
  module.includes("/") ? module.slice(0, module.indexOf("/")) : `${module}.ts`

/** A list of nodes for each edge that closes a cycle. */
export const cycles = (graph) => {
  const found = []
  const state = new Map()
  const visit = (path, trail) => {
    if (state.get(path) === "done") return
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path])
      return
    }
    state.set(path, "open")
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, "done")
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

/** The imports of one file that lead to another of the same package. */
const localImports = (file, known) =>
  file.imports
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ line, specifier }) => ({
      line,
      path: join(dirname(file.path), specifier).replace(/\.js$/, ".ts")
    }))
    .filter(({ path }) => known.has(path))

/** Every file of src, read, with its imports inside the package. */
export const survey = ({ dir }) => {
  const src = join(dir, "src")
  const files = sources(src).map(read)
  const known = new Set(files.map(({ path }) => path))
  const moduleOf = (path) => show(path, src).replace(/\.ts$/, "")
  return files.map((file) => ({
    ...file,
    module: moduleOf(file.path),
    local: localImports(file, known).map((found) => ({ ...found, module: moduleOf(found.path) }))
  }))
}

const castKinds = ["as", "never", "unknown", "!"]

export const countCasts = (files) => {
  const casts = files.flatMap(({ casts }) => casts)
  return Object.fromEntries(
    castKinds.map((kind) => [kind, casts.filter((cast) => cast.kind === kind).length])
  )
}

/** The room of every file and what it imports from other rooms, by floor: a room stands one floor above the highest it imports. */
export const mapOf = (each) => {
  const files = survey(each).filter(({ module }) => module !== "index")
  const rooms = new Map()
  for (const { module, local } of files) {
    const room = roomOf(module)
    const imports = rooms.get(room) ?? rooms.set(room, new Set()).get(room)
    for (const { module: other } of local)
      if (roomOf(other) !== room && other !== "index") imports.add(roomOf(other))
  }
  const count = (room) => files.filter(({ module }) => roomOf(module) === room).length
  const loops = cycles(rooms)
  const floors = new Map()
  const floorOf = (room, trail = []) => {
    if (trail.includes(room)) return 0
    if (!floors.has(room))
      floors.set(
        room,
        1 + Math.max(0, ...[...rooms.get(room)].map((other) => floorOf(other, [...trail, room])))
      )
    return floors.get(room)
  }
  for (const room of rooms.keys()) floorOf(room)
  const casts = Object.entries(countCasts(files)).map(([kind, number]) => `${number} ${kind}`)
  const arrows = [...rooms.values()].reduce((sum, { size }) => sum + size, 0)
  const height = Math.max(0, ...floors.values())
  const lines = Array.from({ length: height }, (_, index) => index + 1).flatMap((floor) =>
    [...rooms]
      .filter(([room]) => floors.get(room) === floor)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([room, imports], index) => {
        const label = `${index === 0 ? String(floor).padStart(3) : "   "}  ${`${room} (${count(room)})`.padEnd(20)}`
        return `${label}${imports.size > 0 ? ` <- ${[...imports].sort().join(" ")}` : ""}`.trimEnd()
      })
  )
  return [
    `${each.name}: ${files.length} files, ${rooms.size} rooms, ${height} floors, ${arrows} arrows, ${loops.length} cycles; casts: ${casts.join(", ")}`,
    ...lines,
    ""
  ].join("\n")
}
