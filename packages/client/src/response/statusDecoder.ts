/** A decoder that chooses another by the status of the response. */
import * as Exit from "effect/Exit"
import { combined } from "../schema/schemaSecrets.js"
import * as ByStatus from "./ByStatus.js"
import * as Contract from "./DecoderContract.js"
import type { DecodeFailure } from "./schemaDecoder.js"

/** A decoder of the values by status. A status that none is for does not fit. */
export const statusDecoder = <A>(
  statuses: ByStatus.ByStatus<Contract.ResponseDecoder<A>>
): Contract.ResponseDecoder<A> => {
  const all = ByStatus.values(statuses)
  const names = Object.keys(statuses).join(", ")
  const opening = all.find(({ opening }) => opening !== undefined)?.opening
  const unnamed = (status: number): DecodeFailure => ({
    reason: `has the status ${status}, and the request describes ${names}`,
    path: []
  })
  return Contract.of({
    accept: [...new Set(all.map(({ accept }) => accept))].join(", "),
    statuses,
    secrets: combined(all.map(({ secrets }) => secrets)),
    decode: (body) => ByStatus.find(statuses, body.status)?.decode(body) ?? Exit.fail(unnamed(body.status)),
    ...(opening && { open: opening.byStatus(statuses), opening })
  })
}
