// Judges state machines by the Amazon States Language. In: [definition]; out: for each, what is wrong.
const { readFileSync } = require("node:fs");
const validate = require("asl-validator");

const wrong = (definition) => validate(definition).errors.map((error) => `${error["Error code"]}: ${error.Message}`);
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(wrong)));
