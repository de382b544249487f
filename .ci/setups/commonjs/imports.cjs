const main = async () => {
  const { program } = await import("../program.js")
  console.log(await program(process.env.API_BASE_URL))
}

void main()
