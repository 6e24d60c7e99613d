/** Has the decoder of the wire make short texts within the engine's memory. */
import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";
import { shortAscii } from "../model/short_text.ts";

export function makeShortTextsHere(): void {
  const encoding = getTextEncoding();
  configureTextEncoding({
    ...encoding,
    decodeUtf8: (bytes, isStrict) => shortAscii(bytes) ?? encoding.decodeUtf8(bytes, isStrict),
  });
}
