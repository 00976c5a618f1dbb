/**
 * The wire format of the host protocol in one place, both directions and pure: the session encodes
 * requests and decodes answers, a node (the fake one of the tests) does the reverse.
 */
export { decodeRequest, encodeRequest, type Request } from './requests.js';
export { nonceOfCommand, startCommand, upLine } from './start-command.js';
export { decodeAnswers, decodeResult, encodeAnswers, encodeResult, type TakenAnswer } from './answers.js';
export { createFrameParser, encodeFrame, type Frame, type FrameParser } from './frame.js';
