"""What a careful colleague would add to an answer: that a document is out of date, or that two do not agree."""
