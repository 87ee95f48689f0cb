"""Words about ECGs: the statement vocabulary, attributes, grounded explanations and the check of claims."""
