// The media types of kept files.

package media

import "path"

// types are the media types of kept files, by the ends of their keys.
var types = map[string]string{
	".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".mkv": "video/x-matroska",
	".jpg": "image/jpeg",
}

// TypeOf returns the media type of a kept file, such as video/mp4; "" if its key ends in nothing known.
func TypeOf(key string) string { return types[path.Ext(key)] }
