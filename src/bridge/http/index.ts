/** HTTP of the bridge: declared endpoints, the checks of every request, listeners, tokens, event streams. */

export { dropRest } from './answers.js';
export { type App, type AppOptions, checked, makeApp, type NodeBindings, type Served } from './app.js';
export { BodyBudget, chunksOf, declaredLength, maxJsonBytes, parseJson, tooLarge } from './bodies.js';
export { type Answer, type Caller, type Endpoint, type EndpointRequest, endpoint, type Scope } from './endpoint.js';
export { EventStream } from './event-stream.js';
export { isLoopback } from './guard.js';
export { Connections, isTlsFileError, type ListenAddress, Listener, parseListen, TlsFileError } from './listeners.js';
export { openApiOf } from './openapi.js';
export { peerOf } from './peers.js';
export { isTokenFileError, TokenFileError, type TokenFiles, Tokens } from './tokens.js';
