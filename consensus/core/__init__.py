"""Tendermint's rules over validators with stake: pure, one way in, effects out."""
