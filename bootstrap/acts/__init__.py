"""The five acts of the play, one module each; they never import each other."""
