"""One reader per format of transcripts; `registry` names them."""
