"""The bytes that jobs read and make, as the database knows them: uploads, artifacts, and what keeps them."""
