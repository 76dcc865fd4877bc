-- The schema adds the view publishable, and makes the index again with the video that the view is asked about.
DROP INDEX publications_failed;
