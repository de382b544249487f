import { program } from "../../program.js"

export const runtime = "edge"
export const dynamic = "force-dynamic"

export const GET = async () => new Response(await program(process.env.API_BASE_URL))
