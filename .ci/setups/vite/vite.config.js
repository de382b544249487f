// As a library, so that a test can import the bundle of the browser.
export default { build: { lib: { entry: "../program.js", formats: ["es"], fileName: "program" } } }
