/** Whether processes share their limits, or each of them keeps to its part because Redis is away. `cause` is why. */
export type State =
  | { readonly _tag: "Shared" }
  | { readonly _tag: "Alone"; readonly processes: number; readonly cause: unknown }
