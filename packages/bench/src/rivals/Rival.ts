/** What every client is made to look like. A client is opened once for a base URL and kept. */

export interface Client {
  /** Asks the question, and gives the text of the answer. */
  readonly call: () => Promise<string>
  /** Asks again and again while `more` says so, where a program would not go through a promise for each. */
  readonly calls?: (more: () => boolean, seen: (text: string) => void) => Promise<void>
  /** Asks for a streamed answer, and hands on the text of each of its events. */
  readonly stream?: (seen: (text: string) => void) => Promise<void>
}

export type Open = (baseUrl: string) => Client | Promise<Client>

/** One call after another, as a loop with `await` makes them. */
export const repeated = async (
  client: Client,
  more: () => boolean,
  seen: (text: string) => void
): Promise<void> => {
  if (client.calls !== undefined) return client.calls(more, seen)
  while (more()) seen(await client.call())
}
