// Decides requests by IAM's rules. In: {policies: {name: [statement]}, resources: {arn: [statement]}, requests: […]}; out: one word each.
const { readFileSync } = require("node:fs");
const { runSimulation } = require("@cloud-copilot/iam-simulate");

const document = (statements) => ({ Version: "2012-10-17", Statement: statements });

async function decided({ policies, resources }, { principal, action, resource, account, context }) {
  const own = policies[principal];
  const given = {
    request: { principal, action, resource: { resource, accountId: account }, contextVariables: context },
    identityPolicies: own ? [{ name: "own", policy: document(own) }] : [],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: resources[resource] && document(resources[resource]),
  };
  const answer = await runSimulation(given, {});
  return answer.overallResult ?? JSON.stringify(answer.errors);
}

(async () => {
  const asked = JSON.parse(readFileSync(0, "utf8"));
  const answers = [];
  for (const request of asked.requests) answers.push(await decided(asked, request));
  console.log(JSON.stringify(answers));
})();
