"""The language of Rocq's files as text: sentences, and the place of a proof in a statement. Nothing here runs Rocq."""
