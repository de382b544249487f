import { program } from "./program.js"

console.log(await program(process.env.API_BASE_URL))
