import { connection } from "next/server"
import { program } from "../program.js"
import { OnClick } from "./OnClick.jsx"

/** A server component: it renders what the API sent. */
export default async () => {
  await connection()
  return (
    <main>
      <p>{await program(process.env.API_BASE_URL)}</p>
      <OnClick />
    </main>
  )
}
