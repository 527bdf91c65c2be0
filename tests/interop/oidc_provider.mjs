// An OpenID provider that is not ours, behind TLS on loopback, with one client that signs in by private_key_jwt.
// Reads its settings as JSON from stdin, prints its port, and ends when stdin does.
import { createServer } from "node:https";
import { pathToFileURL } from "node:url";

const { modules, issuer, client_id, jwk, alg, scope, tls } = await new Promise((resolve) => {
  let text = "";
  process.stdin.on("data", (chunk) => {
    text += chunk;
    if (text.endsWith("\n")) resolve(JSON.parse(text));
  });
});
process.stdin.on("end", () => process.exit());

const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const provider = new Provider(issuer, {
  clients: [
    {
      client_id,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [jwk] },
    },
  ],
  clientAuthMethods: ["private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: [alg] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ["openid", scope],
});

const handle = provider.callback();
const prefix = new URL(issuer).pathname;
const server = createServer(tls, (request, response) => {
  if (!request.url.startsWith(`${prefix}/`)) {
    response.writeHead(404).end();
    return;
  }
  request.originalUrl = request.url; // the provider builds its addresses from both
  request.url = request.url.slice(prefix.length);
  handle(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
