// Measures texts as Twilio does. In and out: a line of JSON for each text. Bits are without headers.
const { createInterface } = require("node:readline");
const { SegmentedMessage } = require("sms-segments-calculator");

function measured(text) {
  const message = new SegmentedMessage(text);
  const bits = message.encodingName === "GSM-7" ? 7 : 16;
  const last = message.segments.at(-1);
  return {
    encoding: message.encodingName,
    segments: message.segmentsCount,
    units: message.messageSize / bits,
    left: last === undefined ? null : Math.floor(last.freeSizeInBits() / bits),
    offenders: message.encodingName === "GSM-7" ? [] : message.getNonGsmCharacters(),
  };
}

createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(measured(JSON.parse(line)))));
