"""ARKitScenes: rooms scanned with an iPad, with boxes for 3D object detection."""
